"""The shell scripts of a plan. They hold no token."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from shlex import quote

from patscan.model import Finding


def remove(commands: str) -> str:
    """``remove.sh``: the commands, up to the first that fails."""
    return "#!/bin/sh\n# Removes the tokens from history, as plan.md says.\nset -eu\n\n" + commands + "\n"


def verify(findings: Iterable[Finding], repository: Path, folder: Path) -> str:
    """``verify.sh``: exit code 0 if no token is left and all are dead, 1 if one is, 3 if that can't be told. It takes `patscan`'s flags."""
    return _VERIFY.format(
        fingerprints=" ".join(finding.fingerprint for finding in findings),
        repository=quote(str(repository)),
        left=quote(str(folder / "left.json")),
        replacements=quote(str(folder / "replacements.txt")),
    )


_VERIFY = """\
#!/bin/sh
# Proves that the tokens of plan.md are dead and that history holds none of them. Takes the flags of "patscan inspect": --gitlab-url URL
code=0
patscan inspect --verify --fail-on active --fail-on active-blocked --quiet "$@" < {replacements}
case $? in 0) echo 'tokens: dead' ;; 1) echo 'tokens: one is alive'; code=1 ;; *) echo 'tokens: not known to be dead'; code=3 ;; esac
patscan history {repository} --submodules --paths --no-cache --quiet --report json={left}
case $? in
  0) echo 'history: clean' ;;
  1) echo 'history: it holds tokens; see' {left}; code=1 ;;
  *) echo 'history: not everything could be looked at'; [ $code -eq 1 ] || code=3 ;;
esac
# What a baseline or a comment hides is still there.
for fingerprint in {fingerprints}; do
  if grep -q "$fingerprint" {left}; then echo "history: $fingerprint is still there"; code=1; fi
done
exit $code
"""
