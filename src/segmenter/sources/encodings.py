"""In which encoding a text file was written, which no file says and every shop's system decides differently."""

import codecs
import gzip
import io
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from segmenter.errors import InputError
from segmenter.messages import Message

CHUNK = 1 << 20
_MAX_BYTES = 1 << 32
UTF8 = ("utf-8", "utf-8-sig")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What shops' systems write, besides UTF-8 and GB18030; a longer list has more readings for the same bytes.
_OTHERS = ["cp1252", "cp1250", "cp1251", "cp1254", "big5", "cp932", "cp949"]
_MIN_BYTES = 5  # different ones beyond ASCII: fewer are plausible in nearly every encoding


def is_gzip(path: Path) -> bool:
    """Tell by its name whether a file is compressed."""
    return path.name.lower().endswith(".gz")


def chunks(path: Path) -> Iterator[bytes]:
    """Read a file piece by piece, decompressed where its name ends in .gz; it may break off with EOFError or zlib.error."""
    size = 0
    with gzip.open(path, "rb") if is_gzip(path) else path.open("rb") as file:
        while chunk := file.read(CHUNK):
            size += len(chunk)
            if is_gzip(path) and size > _MAX_BYTES:  # it is unpacked in memory
                sentence = "{name}: should unpack to at most 4 GB; unpack it, or export it as Parquet"
                raise InputError(Message("files.gzip_too_large", sentence, name=path.name))
            yield chunk


def encoding_by_mark(path: Path) -> str | None:
    """Tell the encoding by the byte order mark: utf-8, utf-16 or utf-32."""
    start = next(chunks(path), b"")
    return next((codec for mark, codec in _MARKS if start.startswith(mark)), None)


def find_encoding(path: Path, name: str, key: str = "data.encoding") -> str:
    """Find the encoding of a file without a byte order mark, decoding all of it: UTF-8, GB18030, or the only other that makes sense."""
    bad_utf8 = first_bad_line(path, "utf-8")
    if bad_utf8 is None:
        return "utf-8"
    sample = _foreign(path)
    bad_gb = first_bad_line(path, "gb18030")
    if bad_gb is None and _reads_as_chinese(sample.decode("gb18030", errors="replace")):
        return "gb18030"
    for codec, line in (("utf-8", bad_utf8), ("gb18030", bad_gb)):
        if line is not None and _nearly(sample, codec):
            sentence = "{name}: line {line:,} has bytes that are not {codec}, which the file else is; mend it or export it again"
            raise InputError(Message("files.bad_bytes", sentence, name=name, line=line, codec=codec))
    guesses = [codec for codec in _guess(sample) if first_bad_line(path, codec) is None]
    if len(guesses) == 1 and len({byte for byte in sample if byte > 127}) >= _MIN_BYTES:
        return guesses[0]
    names = " or ".join(guesses) or "none"
    failure = Message("files.no_chinese", "gives no Chinese")
    if bad_gb is not None:
        failure = Message("files.fails_at", "fails at line {line:,}", line=bad_gb)
    sentence = (
        "{name}: its encoding cannot be told (utf-8 fails at line {utf8:,}, gb18030 {failure}, "
        "charset-normalizer finds {found}); name it in {key}"
    )
    raise InputError(Message("files.no_encoding", sentence, name=name, utf8=bad_utf8, failure=failure, found=names, key=key))


def first_bad_line(path: Path, codec: str, sink: io.BytesIO | None = None) -> int | None:
    """Decode a whole file strictly, into `sink` as UTF-8 without byte order mark; give the first line, from 1, that cannot be."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    begun = False
    for number, chunk in enumerate(chain(chunks(path), [b""])):
        if sink is None and codec in UTF8 and chunk.isascii() and chunk and not decoder.getstate()[0]:
            continue
        try:
            text = decoder.decode(chunk, final=not chunk)
            if sink is not None:
                sink.write((text if begun else text.removeprefix("\ufeff")).encode())
                begun = begun or bool(text)
        except UnicodeError as error:
            before = sum(piece.count(b"\n") for piece in islice(chunks(path), number))
            return 1 + before + (error.object[: error.start].count(b"\n") if isinstance(error, UnicodeDecodeError) else 0)
    return None


def _foreign(path: Path, most: int = 200_000) -> bytes:
    """Take lines that are not ASCII, the only ones that tell encodings apart."""
    foreign, size, rest = [], 0, b""
    for chunk in chunks(path):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if not line.isascii():
                foreign.append(line)
                size += len(line)
        if size > most:
            return b"\n".join(foreign)
    return b"\n".join([*foreign, rest])


def _reads_as_chinese(text: str) -> bool:
    # Nearly any bytes are some GB18030; in Chinese text most characters are among the 6,763 of GB 2312.
    foreign = [char for char in text if not char.isascii()]
    return sum(map(_is_common, foreign)) > len(foreign) / 2


def _is_common(char: str) -> bool:
    if not ("\u4e00" <= char <= "\u9fff" or "\u3000" <= char <= "\u303f" or "\uff00" <= char <= "\uffef" or char in "“”‘’…—·€"):
        return False
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return char == "€"
    return True


def _nearly(sample: bytes, codec: str) -> bool:
    text = sample.decode(codec, errors="replace")
    foreign = sum(not char.isascii() for char in text)
    return text.count("\ufffd") <= 0.05 * foreign and (codec == "utf-8" or _reads_as_chinese(text))


def _guess(sample: bytes) -> list[str]:
    """List the encodings under which the lines are plausible text; of those that read them alike, one."""
    from charset_normalizer import from_bytes

    matches = from_bytes(sample[:50_000], cp_isolation=_OTHERS)
    return [match.encoding for match in matches if match.coherence > 0 or not match.encoding.startswith("cp125")]
