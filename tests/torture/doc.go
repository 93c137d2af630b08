// Package torture breaks things on purpose and looks whether the target notices
// and whether the account is still exact: Go restarted in forked children by the
// thousand, SIGKILL at random moments, system calls that fail during the
// agent's start, and every way for a process to end.
//
// `go test ./tests/torture` runs each a little; with SEAM_TORTURE=long, as `make
// torture` sets it, at the lengths that docs/torture.md reports.
//
// What the targets do they count themselves, in a file mapped by target and test
// (testdata/tally.h): the truth that seam's account is held against does not come
// from seam.
package torture
