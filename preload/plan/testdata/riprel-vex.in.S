# Vector encodings keep their displacement elsewhere, and x86asm does not see it.
f:	vmovdqu data(%rip), %ymm0
	vzeroupper
	ret
