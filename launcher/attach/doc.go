// Package attach reaches into a running process that was started dormant
// (seam env --dormant) and has it watch what a spec asks for.
//
// The process is stopped as a debugger would stop it, thread by thread, for some
// milliseconds; preload/core/wake.c says what one of its threads then does. What
// each thread was about to do it does afterwards:
//
//   - registers, vector state and signal mask are put back; a system call that the
//     stop has interrupted is made again by the kernel, with the rest of its time.
//     Those few that the kernel would let fail with EINTR (epoll_wait, semop,
//     sigtimedwait and their kin) are made again from here, with their time in full
//   - no thread may be inside bytes that are about to be overwritten, nor be going to
//     return there from a signal handler: then all run on and it is tried again
//   - no signal is sent or lost, and no action of a signal is changed
//
// One operating system thread must do all of it: ptrace is between threads.
package attach
