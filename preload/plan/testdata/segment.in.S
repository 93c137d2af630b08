# Thread-local data is addressed through a segment, not through rip.
f:	mov %fs:0x28, %rax
	ret
