// Package parity runs programs that nobody here wrote, with tests or loads of
// their own, twice: plain, and under `seam run` with every pack on. Each test case
// must end the same way, nothing may hang, and seam's account must be exact.
//
// What is run is data: suites.go names the suites, suites/NAME.sh knows how to
// prepare one, what it consists of, and how to run a unit of it. `go test` runs a
// quick part; with -full it is everything that suites.go says, and with -write
// the table in docs/parity.md is made anew from what was measured.
//
// Units are run with both sides one after the other. When a case differs, the
// unit is run again on both sides, and the outcomes of all runs are listed: a
// case is excused only if the plain side alone already shows every outcome that
// the watched side had. Nothing is run again to make it pass.
package parity
