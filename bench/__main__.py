"""`python -m bench [NAME [ARGUMENTS…]]`: run one benchmark with its own arguments, or all of them."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def main() -> None:
    """Find the benchmarks in this package and run those asked for."""
    names = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_"))
    chosen, arguments = (sys.argv[1:2], sys.argv[2:]) if len(sys.argv) > 1 else (names, [])
    if unknown := [name for name in chosen if name not in names]:
        sys.exit(f"There is no benchmark {unknown[0]!r}; there are: {', '.join(names)}")
    for name in chosen:
        print(f"── {name} " + "─" * (76 - len(name)))
        importlib.import_module(f"bench.{name}").main(arguments)


if __name__ == "__main__":
    main()
