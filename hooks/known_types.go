package hooks

// knownTypes declares structures and sets that the prototypes of the packs and
// of knownText use. The tests compare them with the system's headers.
const knownTypes = `
enum mallopt { M_MXFAST = 1, M_TRIM_THRESHOLD = -1, M_TOP_PAD = -2, M_MMAP_THRESHOLD = -3, M_MMAP_MAX = -4, M_CHECK_ACTION = -5, M_PERTURB = -6, M_ARENA_TEST = -7, M_ARENA_MAX = -8 };
flags msync { MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 4 };
flags mlock2 { MLOCK_ONFAULT = 1 };
flags mlockall { MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4 };
enum setvbuf { _IOFBF, _IOLBF, _IONBF };
enum itimer { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
enum cancelstate { PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_DISABLE };
enum canceltype { PTHREAD_CANCEL_DEFERRED, PTHREAD_CANCEL_ASYNCHRONOUS };
enum detachstate { PTHREAD_CREATE_JOINABLE, PTHREAD_CREATE_DETACHED };
enum mutextype { PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ADAPTIVE_NP };
enum thrd { thrd_success, thrd_busy, thrd_error, thrd_nomem, thrd_timedout };
enum sched { SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE = 5, SCHED_DEADLINE };
enum locale { LC_CTYPE, LC_NUMERIC, LC_TIME, LC_COLLATE, LC_MONETARY, LC_MESSAGES, LC_ALL, LC_PAPER, LC_NAME, LC_ADDRESS, LC_TELEPHONE, LC_MEASUREMENT, LC_IDENTIFICATION };
flags fnmatch { FNM_PATHNAME = 1, FNM_NOESCAPE = 2, FNM_PERIOD = 4, FNM_LEADING_DIR = 8, FNM_CASEFOLD = 16, FNM_EXTMATCH = 32 };
flags wordexp { WRDE_DOOFFS = 1, WRDE_APPEND = 2, WRDE_NOCMD = 4, WRDE_REUSE = 8, WRDE_SHOWERR = 16, WRDE_UNDEF = 32 };
enum pathconf { _PC_LINK_MAX, _PC_MAX_CANON, _PC_MAX_INPUT, _PC_NAME_MAX, _PC_PATH_MAX, _PC_PIPE_BUF, _PC_CHOWN_RESTRICTED, _PC_NO_TRUNC, _PC_VDISABLE, _PC_SYNC_IO, _PC_ASYNC_IO, _PC_PRIO_IO,
	_PC_SOCK_MAXBUF, _PC_FILESIZEBITS, _PC_REC_INCR_XFER_SIZE, _PC_REC_MAX_XFER_SIZE, _PC_REC_MIN_XFER_SIZE, _PC_REC_XFER_ALIGN, _PC_ALLOC_SIZE_MIN, _PC_SYMLINK_MAX, _PC_2_SYMLINKS };
flags spawn : short { POSIX_SPAWN_RESETIDS = 1, POSIX_SPAWN_SETPGROUP = 2, POSIX_SPAWN_SETSIGDEF = 4, POSIX_SPAWN_SETSIGMASK = 8, POSIX_SPAWN_SETSCHEDPARAM = 0x10, POSIX_SPAWN_SETSCHEDULER = 0x20, POSIX_SPAWN_USEVFORK = 0x40, POSIX_SPAWN_SETSID = 0x80 };
flags signalfd { SFD_CLOEXEC = 02000000, SFD_NONBLOCK = 04000 };
enum nsclass { ns_c_in = 1, ns_c_chaos = 3, ns_c_hs = 4, ns_c_none = 254, ns_c_any };
enum nstype { ns_t_a = 1, ns_t_ns = 2, ns_t_cname = 5, ns_t_soa = 6, ns_t_ptr = 12, ns_t_mx = 15, ns_t_txt, ns_t_aaaa = 28, ns_t_srv = 33, ns_t_naptr = 35, ns_t_axfr = 252, ns_t_any = 255 };
enum tcsetattr { TCSANOW, TCSADRAIN, TCSAFLUSH };
enum tcflow { TCOOFF, TCOON, TCIOFF, TCION };
enum tcflush { TCIFLUSH, TCOFLUSH, TCIOFLUSH };
flags iflag { IGNBRK = 1, BRKINT = 2, IGNPAR = 4, PARMRK = 8, INPCK = 16, ISTRIP = 32, INLCR = 64, IGNCR = 128, ICRNL = 256, IUCLC = 512, IXON = 1024, IXANY = 2048, IXOFF = 4096, IMAXBEL = 8192, IUTF8 = 16384 };
flags oflag { OPOST = 1, OLCUC = 2, ONLCR = 4, OCRNL = 8, ONOCR = 16, ONLRET = 32, OFILL = 64, OFDEL = 128 };
flags cflag { CS5 = 0 & 0x30, CS6 = 0x10 & 0x30, CS7 = 0x20 & 0x30, CS8 = 0x30 & 0x30, CSTOPB = 0x40, CREAD = 0x80, PARENB = 0x100, PARODD = 0x200, HUPCL = 0x400, CLOCAL = 0x800, CRTSCTS = 0x80000000 };
flags lflag { ISIG = 1, ICANON = 2, ECHO = 8, ECHOE = 16, ECHOK = 32, ECHONL = 64, NOFLSH = 128, TOSTOP = 256, ECHOCTL = 512, ECHOPRT = 1024, ECHOKE = 2048, FLUSHO = 4096, PENDIN = 16384, IEXTEN = 32768 };
flags ipcget { IPC_CREAT = 01000, IPC_EXCL = 02000, SHM_HUGETLB = 04000, SHM_NORESERVE = 010000 };
enum ipcctl { IPC_RMID, IPC_SET, IPC_STAT, IPC_INFO, GETPID = 11, GETVAL, GETALL, GETNCNT, GETZCNT, SETVAL, SETALL };
flags shmat { SHM_RDONLY = 010000, SHM_RND = 020000, SHM_REMAP = 040000, SHM_EXEC = 0100000 };
flags msgop { IPC_NOWAIT = 04000, MSG_NOERROR = 010000, MSG_EXCEPT = 020000, MSG_COPY = 040000 };
enum sysconf { _SC_ARG_MAX, _SC_CHILD_MAX, _SC_CLK_TCK, _SC_NGROUPS_MAX, _SC_OPEN_MAX, _SC_STREAM_MAX, _SC_TZNAME_MAX, _SC_JOB_CONTROL, _SC_VERSION = 29, _SC_PAGESIZE,
	_SC_IOV_MAX = 60, _SC_GETGR_R_SIZE_MAX = 69, _SC_GETPW_R_SIZE_MAX, _SC_LOGIN_NAME_MAX, _SC_TTY_NAME_MAX, _SC_THREAD_STACK_MIN = 75, _SC_THREAD_THREADS_MAX,
	_SC_NPROCESSORS_CONF = 83, _SC_NPROCESSORS_ONLN, _SC_PHYS_PAGES, _SC_AVPHYS_PAGES, _SC_MONOTONIC_CLOCK = 149, _SC_HOST_NAME_MAX = 180,
	_SC_LEVEL1_ICACHE_SIZE = 185, _SC_LEVEL1_DCACHE_SIZE = 188, _SC_LEVEL1_DCACHE_LINESIZE = 190, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE = 194 };
flags syslog { LOG_EMERG = 0 & 7, LOG_ALERT = 1 & 7, LOG_CRIT = 2 & 7, LOG_ERR = 3 & 7, LOG_WARNING = 4 & 7, LOG_NOTICE = 5 & 7, LOG_INFO = 6 & 7, LOG_DEBUG = 7 & 7,
	LOG_USER = 8 & 0x3f8, LOG_MAIL = 16 & 0x3f8, LOG_DAEMON = 24 & 0x3f8, LOG_AUTH = 32 & 0x3f8, LOG_SYSLOG = 40 & 0x3f8, LOG_LPR = 48 & 0x3f8, LOG_NEWS = 56 & 0x3f8, LOG_UUCP = 64 & 0x3f8, LOG_CRON = 72 & 0x3f8,
	LOG_AUTHPRIV = 80 & 0x3f8, LOG_FTP = 88 & 0x3f8, LOG_LOCAL0 = 128 & 0x3f8, LOG_LOCAL1 = 136 & 0x3f8, LOG_LOCAL2 = 144 & 0x3f8, LOG_LOCAL3 = 152 & 0x3f8, LOG_LOCAL4 = 160 & 0x3f8, LOG_LOCAL5 = 168 & 0x3f8, LOG_LOCAL6 = 176 & 0x3f8, LOG_LOCAL7 = 184 & 0x3f8 };
flags openlog { LOG_PID = 1, LOG_CONS = 2, LOG_ODELAY = 4, LOG_NDELAY = 8, LOG_NOWAIT = 16, LOG_PERROR = 32 };
flags regcomp { REG_EXTENDED = 1, REG_ICASE = 2, REG_NEWLINE = 4, REG_NOSUB = 8 };
flags regexec { REG_NOTBOL = 1, REG_NOTEOL = 2, REG_STARTEND = 4 };
flags sa { SA_NOCLDSTOP = 1, SA_NOCLDWAIT = 2, SA_SIGINFO = 4, SA_ONSTACK = 0x08000000, SA_RESTART = 0x10000000, SA_NODEFER = 0x40000000, SA_RESETHAND = 0x80000000 };
flags ss { SS_ONSTACK = 1, SS_DISABLE = 2 };
/* Signals 32 and 33 are the C library's own: a full set is without them. */
flags signals : uint64_t { all = 0xfffffffe7fffffff, ALL = -1, SIGHUP = 1, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT,
	SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO, SIGPWR, SIGSYS };

flags poll : short { POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8, POLLHUP = 16, POLLNVAL = 32, POLLRDNORM = 64, POLLRDBAND = 128, POLLWRNORM = 256, POLLWRBAND = 512, POLLMSG = 1024, POLLRDHUP = 8192 };

struct pollfd { fd fd; flags(poll) events; short _; };
struct sigset { flags(signals) set; };
struct sigaction { void *sa_handler; flags(signals) sa_mask; flags(sa) sa_flags @136; };
struct sigaltstack { void *ss_sp; flags(ss) ss_flags; size_t ss_size; };
struct itimerval { struct timeval it_interval; struct timeval it_value; };
struct tm { int tm_sec; int tm_min; int tm_hour; int tm_mday; int tm_mon; int tm_year; int tm_wday; int tm_yday; int tm_isdst; long tm_gmtoff; };
struct tms { clock_t tms_utime; clock_t tms_stime; clock_t tms_cutime; clock_t tms_cstime; };
struct sched_param { int sched_priority; };
struct iovec { void *iov_base; size_t iov_len; };
struct sembuf { unsigned short sem_num; short sem_op; short sem_flg; };
struct mq_attr { long mq_flags; long mq_maxmsg; long mq_msgsize; long mq_curmsgs; };
struct winsize { unsigned short ws_row; unsigned short ws_col; unsigned short ws_xpixel; unsigned short ws_ypixel; };
struct termios { flags(iflag) c_iflag; flags(oflag) c_oflag; flags(cflag) c_cflag; flags(lflag) c_lflag; };
struct utsname { char sysname[65]; char nodename[65]; char release[65]; char version[65]; char machine[65]; };
struct sysinfo { long uptime; unsigned long loads[3]; unsigned long totalram; unsigned long freeram; unsigned long sharedram; unsigned long bufferram; unsigned long totalswap; unsigned long freeswap; unsigned short procs; };
struct rusage { struct timeval ru_utime; struct timeval ru_stime; long ru_maxrss; long ru_minflt @64; long ru_majflt; long ru_inblock @88; long ru_oublock; long ru_nvcsw @128; long ru_nivcsw; };
struct statfs { long f_type; long f_bsize; fsblkcnt_t f_blocks; fsblkcnt_t f_bfree; fsblkcnt_t f_bavail; fsblkcnt_t f_files; fsblkcnt_t f_ffree; };
struct statvfs { unsigned long f_bsize; unsigned long f_frsize; fsblkcnt_t f_blocks; fsblkcnt_t f_bfree; fsblkcnt_t f_bavail; fsblkcnt_t f_files; fsblkcnt_t f_ffree; };
`
