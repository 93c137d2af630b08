# A function that is one jump: nothing to come back for.
f:	jmp elsewhere
