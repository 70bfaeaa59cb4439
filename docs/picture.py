"""Draws docs/terminal.svg: what `patscan history` really prints, on a repository made for it.

python docs/picture.py
"""

from __future__ import annotations

import os
import pty
import random
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.repo import Repo  # noqa: E402
from tests.tokens import classic, routable  # noqa: E402

WIDTH = 112


def demo(folder: Path) -> Path:
    """A repository with one token at HEAD and one that only history remembers."""
    rng = random.Random(20)
    repo = Repo(folder / "shop")
    repo.commit({"deploy.py": f'import gitlab\n\nclient = gitlab.Gitlab(URL, private_token="{routable(rng)}")\nclient.auth()\n'}, "Deploy")
    repo.commit({"ci/.env": f"# local only\nexport GITLAB_TOKEN={classic(rng)}\n"}, "Add settings")
    repo.commit({"ci/.env": "# local only\n"}, "Oops")
    return repo.path


def shown(command: list[str], folder: Path) -> str:
    """What `command` prints on a terminal."""
    parts: list[bytes] = []

    def keep(descriptor: int) -> bytes:
        parts.append(os.read(descriptor, 1 << 16))
        return parts[-1]

    os.chdir(folder)
    os.environ.update(PYTHONPATH=str(ROOT), TERM="xterm-256color", COLUMNS=str(WIDTH))
    pty.spawn(command, keep)
    return b"".join(parts).decode().replace("\r\n", "\n")


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        place = demo(Path(folder))
        text = shown([sys.executable, "-m", "patscan", "history", "."], place)
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    console.print(Text.from_ansi(f"$ patscan history\n{text}"))
    svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="patscan"), flags=re.DOTALL)
    (ROOT / "docs" / "terminal.svg").write_text(svg, "utf-8")


if __name__ == "__main__":
    main()
