	mov $1, %al
	lock xchg %al, data(%rip)
	jmp f+9
