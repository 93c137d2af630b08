// Package laws attacks the native core: each test is a rule that seam promises
// to the program it is a guest of, and a program that notices when it is broken.
//
//	checklist_test.go  what an interceptor must leave alone in a call
//	libs_test.go       whole libraries patched, real programs run on top
//	rules_test.go      Go in somebody else's process
//	guest_test.go      errno, pointers, limits, exits, sandboxes
//	threads_test.go    many threads, many signals, an exact account
//	surface_test.go    what the library exports, needs, imports and calls
//
// The programs are in testdata, compiled by the tests. Each prints what it saw,
// and must print the same without seam.
package laws
