"""Modes of entries in trees and in the index that aren't files (git-fast-import(1), filemodify)."""

SYMLINK, SUBMODULE = "120000", "160000"
