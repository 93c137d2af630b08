// Package harness is what seam's end-to-end tests share: it builds bin/seam
// once, finds the programs that tests need, and runs commands with a deadline.
//
// A command that misses its deadline is a finding, not a nuisance: its whole
// process tree is asked where it hangs (gdb, all threads) before it is killed,
// and the test fails with that text. Only processes that the harness started
// are killed, each by its own pidfd.
//
// There are no skips. A test whose program is missing fails and names the
// Debian package that has it; tests/packages.txt lists them all.
package harness
