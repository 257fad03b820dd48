"""Lists the benchmarks: `python -m bench`."""

from __future__ import annotations

import ast
import sys
from pathlib import Path


def list_benchmarks(folder: Path) -> dict[str, str]:
    """The modules that can be run, by name, with what each measures. Read, not imported: importing takes seconds."""
    found = {}
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        runs = any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)
        if runs and path.stem != "__main__":
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def main() -> int:
    """Print one line for each benchmark."""
    benchmarks = list_benchmarks(Path(__file__).parent)
    width = max(map(len, benchmarks), default=0)
    for name, about in benchmarks.items():
        print(f"python -m bench.{name:<{width}}  {about}")
    print("\nEach has --help, shows its progress on standard error, and can write its numbers with --json FILE.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
