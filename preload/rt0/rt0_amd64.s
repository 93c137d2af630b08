#include "textflag.h"

// seam_rt0 is the library's initialisation entry (-ldflags=-E=seam_rt0). The
// dynamic loader calls it where it would call _rt0_amd64_linux_lib, which
// starts Go. It refers to that symbol so that the linker keeps it, and
// returns: Go starts when the core says so (preload/core/gostart.c).
TEXT seam_rt0(SB),NOSPLIT|NOFRAME,$0
	LEAQ	_rt0_amd64_linux_lib(SB), AX
	RET
