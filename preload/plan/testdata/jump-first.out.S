	jmp elsewhere
