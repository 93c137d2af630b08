package parity

import "time"

// Suite is one body of tests, or one service under load.
type Suite struct {
	Name     string // suites/NAME.sh runs it
	What     string // for the table
	Format   format // how its output tells the cases
	Setup    bool   // the script has something to prepare
	Deadline time.Duration
	// Quick is what `make test` runs; empty: the suite is in the full run only.
	Quick    []string
	Programs []string // of the quick part, as harness.Program knows them
	// Every is how many of the units the full run takes: each Every-th, and those in Always. 0 is all.
	Every  int
	Always []string
	// Out are units that are not run, and why.
	Out map[string]string
	// Load is the seconds of load for services, in the quick and in the full run.
	Load [2]int
}

var suites = []Suite{
	{
		Name: "cpython", What: "CPython 3.11's own tests (libpython3.11-testsuite)", Format: junit, Deadline: 15 * time.Minute,
		Quick: []string{"test_os", "test_posix", "test_fork1", "test_wait3", "test_mmap", "test_fcntl", "test_select", "test_epoll",
			"test_pty", "test_resource", "test_shutil", "test_tempfile", "test_ctypes", "test_popen"},
		Programs: []string{"python3", "/usr/lib/python3.11/test/test_fork1.py"},
		Every:    8,
		Always: []string{"test_asyncio", "test_asyncore", "test_builtin", "test_cmd_line", "test_concurrent_futures", "test_ctypes", "test_dbm", "test_epoll",
			"test_faulthandler", "test_fcntl", "test_fileio", "test_fork1", "test_ftplib", "test_gdb", "test_httplib", "test_httpservers", "test_io",
			"test_kqueue", "test_largefile", "test_mmap", "test_multiprocessing_fork", "test_multiprocessing_main_handling", "test_openpty", "test_os",
			"test_pipes", "test_poll", "test_popen", "test_posix", "test_pty", "test_queue", "test_resource", "test_select", "test_selectors", "test_shutil",
			"test_signal", "test_smtplib", "test_socket", "test_socketserver", "test_ssl", "test_subprocess", "test_sys", "test_tarfile", "test_tempfile",
			"test_thread", "test_threadedtempfile", "test_threading", "test_threadsignals", "test_venv", "test_wait3", "test_wait4", "test_zipfile"},
	},
	{
		Name: "stress-ng", What: "stress-ng --verify, each stressor", Format: lines, Deadline: 2 * time.Minute,
		Quick: []string{"fork", "vfork", "clone", "exec", "spawn", "daemon", "zombie", "exit-group", "pthread", "sigchld", "sigfd", "sigfpe",
			"sigsegv", "sigq", "sigtrap", "signest", "bad-altstack", "context", "longjmp", "mmap", "munmap", "mremap", "mprotect", "fault",
			"vm-segv", "stackmmap", "dup", "close", "fcntl", "pipe", "poll", "epoll", "sock", "splice", "memfd", "session", "wait", "seccomp"},
		Programs: []string{"stress-ng"},
	},
	{
		Name: "git", What: "git's t/ (source package git)", Format: tap, Setup: true, Deadline: 20 * time.Minute,
		Every: 8,
	},
	{
		Name: "redis", What: "redis's suite (source package redis)", Format: redis, Setup: true, Deadline: 20 * time.Minute,
		Every: 2,
	},
	{
		Name: "postgresql", What: "PostgreSQL 15: regression suite and pgbench (source package postgresql-15)", Format: pgRegress, Setup: true,
		Deadline: 15 * time.Minute, Load: [2]int{1, 5},
	},
	{
		Name: "make", What: "`make -j2` of git: every object and program made", Format: lines, Setup: true, Deadline: 30 * time.Minute,
	},
	{
		Name: "nginx", What: "nginx under wrk: files, proxy, reload", Format: lines, Deadline: 2 * time.Minute,
		Quick: []string{"serve"}, Programs: []string{"nginx", "wrk", "curl"}, Load: [2]int{1, 5},
	},
	{
		Name: "redis-benchmark", What: "redis under redis-benchmark: snapshot, log rewrite", Format: lines, Deadline: 5 * time.Minute,
		Quick: []string{"benchmark"}, Programs: []string{"redis-server", "redis-benchmark"}, Load: [2]int{1, 10},
	},
	{
		Name: "gunicorn", What: "gunicorn under wrk: pre-forked workers, replaced and reloaded", Format: lines, Deadline: 2 * time.Minute,
		Quick: []string{"serve"}, Programs: []string{"gunicorn", "wrk", "curl"}, Load: [2]int{1, 5},
	},
	{
		Name: "node", What: "node's http under wrk: a cluster of two, child processes", Format: lines, Deadline: 2 * time.Minute,
		Quick: []string{"serve"}, Programs: []string{"node", "wrk", "curl"}, Load: [2]int{1, 5},
	},
	{
		Name: "multiprocessing", What: "Python's multiprocessing: fork, spawn, forkserver", Format: lines, Deadline: 2 * time.Minute,
		Quick: []string{"fork", "spawn", "forkserver"}, Programs: []string{"python3"},
	},
}
