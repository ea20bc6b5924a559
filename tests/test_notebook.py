"""The notebook runs, in a kernel as a person has it."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's client
def test_the_notebook_shows_a_launch(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(cell.cell_type != "code" or not cell.outputs for cell in notebook.cells)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert all(output.output_type == "execute_result" for output in shown)
    pages = [output.data["text/html"] for output in shown if output.data.get("text/html", "").startswith("<iframe")]
    assert len(pages) == 2
    assert not list(tmp_path.iterdir())
