"""The shell scripts of a plan. They contain no token."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from patscan.model import Report


def remove(commands: str) -> str:
    """``remove.sh``: the commands, up to the first that fails."""
    return f"#!/bin/sh\n# Removes the tokens, as plan.md says.\nset -eu\n\n{commands}\n"


def verify(report: Report, place: Path, folder: Path) -> str:
    """``verify.sh``: exit code 0 if no token is left in `place` and all are dead, 1 if one is left or alive, 3 if unknown."""
    is_history = report.target.type == "history"
    shell_place = quote(str(place))
    return _VERIFY.format(
        fingerprints=" ".join(quote(finding.fingerprint) for finding in report.findings),
        known=" ".join(quote(finding.fingerprint) for finding in report.findings if finding.verdict.state in _KNOWN),
        look=f"history {shell_place} --submodules --paths --no-cache" if is_history else f"scan {shell_place}",
        place="history" if is_history else "files",
        left=quote(str(folder / "left.json")),
        asked=quote(str(folder / "asked.jsonl")),
        replacements=quote(str(folder / "replacements.txt")),
    )


_KNOWN = {"active", "active-blocked", "inactive"}
"""States that prove that the asked instance created the token. If it no longer knows the token, the token is dead."""
_VERIFY = """\
#!/bin/sh
# Proves that the tokens of plan.md are dead, and that none is left. Takes the flags of "patscan inspect --verify": --gitlab-url URL
code=0
unproven() {{ echo "$1"; [ $code -eq 1 ] || code=3; }}
patscan inspect --verify --quiet --report jsonl={asked} "$@" < {replacements}
patscan {look} --quiet --report json={left}
case $? in
  0) echo '{place}: clean' ;;
  1) echo '{place}: tokens are left; see' {left}; code=1 ;;
  *) unproven '{place}: not everything could be looked at' ;;
esac
for fingerprint in {fingerprints}; do
  # A baseline or a comment may hide it.
  if grep -q "$fingerprint" {left}; then echo "$fingerprint: still there"; code=1; fi
  case $(grep "$fingerprint" {asked} | tr -d ' ') in
    *'"verdict":{{"state":"inactive"'*) echo "$fingerprint: dead" ;;
    *'"verdict":{{"state":"not-found"'*)
      case ' {known} ' in
        *" $fingerprint "*) echo "$fingerprint: dead, because this GitLab no longer knows it" ;;
        *) unproven "$fingerprint: not known to this GitLab, which proves nothing" ;;
      esac ;;
    *'"verdict":{{"state":"active'*) echo "$fingerprint: alive"; code=1 ;;
    *) unproven "$fingerprint: not known to be dead" ;;
  esac
done
exit $code
"""
