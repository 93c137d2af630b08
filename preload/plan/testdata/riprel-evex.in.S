# An immediate after an EVEX displacement.
f:	vpternlogd $5, data(%rip), %ymm2, %ymm17
	ret
