// Command seam watches a dynamically linked program at its C-library border.
//
// How it talks, in every subcommand:
//
//   - Data goes to standard output, talk to standard error. `seam run` writes
//     nothing to standard output at all: that is the target's. Its report is talk,
//     unless --report names a file.
//   - A failure of seam's own is `seam: error: …`, with `seam: hint: …` when there
//     is something to do about it, and ends with 125. A target that can't be
//     started ends it with 126, one that isn't there with 127. Otherwise the exit
//     status is the target's, signals included.
//   - Nothing is said when there is nothing to say.
//   - Tables are aligned on a terminal and tab-separated elsewhere; --json is stable.
package main
