#!/bin/sh
# Writes docs/coverage.md: what `seam doctor --library` says of widely used libraries.
set -e
libraries="libc.so.6 libstdc++.so.6 libssl.so.3 libcrypto.so.3 libsqlite3.so.0 libpython3.11.so.1.0"
set -- doctor --all
for l in $libraries; do set -- "$@" --library "$l"; done
table=$("$(dirname "$0")/../bin/seam" "$@")
cat <<EOF
# How much of a library can be watched

Written by \`make docs\`, from the libraries of $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release). The command, for any library:

    seam $(echo "$*" | sed 's/ --library libcrypto.*/ …/')

* **inline**: the function's code is patched. Every call is seen, however the caller came by the address.
* **ifunc**: the loader picks one of several implementations for this processor (\`memcpy\`, \`strlen\`). The one it picked is patched, or, where
  that can't be, the pointers to it. Two functions that pick the same implementation are one, under the name of the first.
* **pointer**: the code can't be patched; instead the library's symbol table, the GOT slots and the tables of functions in all
  objects lead to seam. What is not seen: direct calls inside the library itself, and addresses that
  the library's own code computes, or that code kept before seam was loaded.
* **refused**: with the reason below.

A function counts once, however many names it has; the symbols are those that the library exports.

\`\`\`
$table
\`\`\`
EOF
