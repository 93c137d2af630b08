	vmovdqu data(%rip), %ymm0
	jmp f+8
