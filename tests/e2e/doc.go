// Package e2e runs bin/seam on real programs and checks the two things that
// matter most: that the program could not tell (output, exit status and signal
// are those of a run without seam), and that the account is exact (produced =
// delivered + dropped, compared with what the program itself counted).
//
// The C programs in testdata are compiled when a test first needs them.
package e2e
