#!/bin/sh
# Installs the Debian packages of packages.txt, or of the files named, that are missing. An ordinary user
# is told which ones, and goes on: the tests say what they lack.
set -eu
missing=
[ $# -gt 0 ] || set -- "$(dirname "$0")/packages.txt"
while read -r name _; do
	case $name in '' | '#'*) continue ;; esac
	dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing="$missing $name"
done <<END
$(cat "$@")
END
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "missing Debian packages:$missing (apt-get install them)" >&2
	exit 0
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
