"""Take the pictures of the READMEs: ``python docs/pictures.py`` plans the demo shop's launch in both languages and photographs the page.

It needs Chromium and Pillow (which MLflow brings), and writes ``docs/images/launch.png`` and ``docs/images/launch.zh.png``: the top of
the page, 1200 pixels wide, in a palette of 128 colours so that each stays below 200 kB.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
WIDTH, HEIGHT, MOST = 1200, 1000, 200_000
CHROMIUM = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}"]


def take(lang: str, picture: Path) -> None:
    """Plan a launch, and photograph its page."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("docs/pictures.py needs chromium on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        launch = ["launch", "launch.target=300000", f"lang={lang}", "tracking=none", "ledger.use=false"]
        subprocess.run([sys.executable, "-m", "segmenter", *launch], cwd=folder, check=True)
        page = (Path(folder) / "outputs" / "demo" / "report.html").as_uri()
        subprocess.run([browser, *CHROMIUM, f"--screenshot={folder}/page.png", page], check=True, capture_output=True)
        with Image.open(f"{folder}/page.png") as taken:
            taken.convert("RGB").quantize(128).save(picture, optimize=True)
    size = picture.stat().st_size
    sys.stdout.write(f"{picture}: {size:,} bytes\n")
    if size > MOST:
        sys.exit(f"{picture} is larger than {MOST:,} bytes; make HEIGHT smaller")


if __name__ == "__main__":
    take("en", HERE / "images" / "launch.png")
    take("zh", HERE / "images" / "launch.zh.png")
