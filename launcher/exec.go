package launcher

// Exec replaces this process by the target. It returns only when it fails.
func Exec(t *Target, env []string) error {
	return execRefusal(t, inheritedState().exec(t, env))
}
