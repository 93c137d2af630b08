//go:build seam_start

package main

// Only with -E=seam_start does anything call it, and it needs what the Makefile builds.
import _ "github.com/seam-project/seam/launcher/fastexec"
