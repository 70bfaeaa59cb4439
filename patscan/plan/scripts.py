"""The shell scripts of a plan. They hold no token."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from patscan.model import Report


def remove(commands: str) -> str:
    """``remove.sh``: the commands, up to the first that fails."""
    return f"#!/bin/sh\n# Removes the tokens, as plan.md says.\nset -eu\n\n{commands}\n"


def verify(report: Report, place: Path, folder: Path) -> str:
    """``verify.sh``: exit code 0 if no token is left in `place` and all are dead, 1 if one is or lives, 3 if that can't be told."""
    is_history = report.target.type == "history"
    looked = quote(str(place))
    return _VERIFY.format(
        fingerprints=" ".join(quote(finding.fingerprint) for finding in report.findings),
        look=f"history {looked} --submodules --paths --no-cache" if is_history else f"scan {looked}",
        place="history" if is_history else "files",
        left=quote(str(folder / "left.json")),
        replacements=quote(str(folder / "replacements.txt")),
    )


_VERIFY = """\
#!/bin/sh
# Proves that the tokens of plan.md are dead and are left nowhere. Takes the flags of "patscan inspect --verify": --gitlab-url URL
code=0
patscan inspect --verify --fail-on active --fail-on active-blocked --quiet "$@" < {replacements}
case $? in
  0) echo 'tokens: dead' ;;
  1) echo 'tokens: one is alive'; code=1 ;;
  *) echo 'tokens: not known to be dead'; code=3 ;;
esac
patscan {look} --quiet --report json={left}
case $? in
  0) echo '{place}: clean' ;;
  1) echo '{place}: tokens are left; see' {left}; code=1 ;;
  *) echo '{place}: not everything could be looked at'; [ $code -eq 1 ] || code=3 ;;
esac
# What a baseline or a comment hides is still there.
for fingerprint in {fingerprints}; do
  if grep -q "$fingerprint" {left}; then echo "$fingerprint is still there"; code=1; fi
done
exit $code
"""
