	vpternlogd $5, data(%rip), %ymm2, %ymm17
	jmp f+11
