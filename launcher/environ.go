package launcher

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
)

// The variables that reach the target.
const (
	envPreload = "LD_PRELOAD"
	envSpec    = "SEAM_SPEC"
	envSocket  = "SEAM_SOCKET"
	envReader  = "SEAM_READER"
	envFilters = "SEAM_FILTERS"
	envDormant = "SEAM_DORMANT"
)

// Injection is what the environment carries into a target.
type Injection struct {
	Library string // the unpacked library; "" leaves LD_PRELOAD alone
	Spec    string // the spec file
	Socket  string // the reader's socket; "" for none

	// Adopts: the reader drains what is left in the arena of a process that
	// ended, so that no exit has to wait for the agent to do it.
	Adopts bool

	// Drains: it drains while the process lives, too, so that no agent is started for that.
	Drains bool

	// Filters is Filters(): under how many system call filters a target starts.
	// One that finds itself under more is left alone, since a filter may kill for what the
	// library does to watch. "" leaves none alone.
	Filters string

	// Dormant: the library does nothing until it is told to (package attach). Spec
	// and Socket are empty then.
	Dormant bool
}

// The values of SEAM_READER that say so.
const (
	readerAdopts = "seam"
	readerDrains = "drains"
)

// Environ returns the environment exactly as this process got it. os.Environ
// drops duplicate and empty entries, which a program started directly would see.
func Environ() []string {
	raw, err := os.ReadFile("/proc/self/environ")
	if err != nil || len(raw) == 0 {
		return os.Environ()
	}
	raw = bytes.TrimSuffix(raw, []byte{0})
	var out []string
	for kv := range strings.SplitSeq(string(raw), "\x00") {
		out = append(out, kv)
	}
	return out
}

// Compose returns environ with seam's variables in it. All others keep
// their place; an LD_PRELOAD that is there already is kept behind ours.
func Compose(environ []string, in Injection) []string {
	out := make([]string, 0, len(environ)+5)
	for _, kv := range environ {
		if kv, keep := in.variable(kv); keep {
			out = append(out, kv)
		}
	}
	return append(out, in.added(environ)...)
}

// variable is what becomes of a variable that is there; keep: it stays at all.
func (in Injection) variable(kv string) (out string, keep bool) {
	key, value, _ := strings.Cut(kv, "=")
	switch key {
	case envPreload:
		if in.Library != "" {
			kv = envPreload + "=" + mergePreload(in.Library, value)
		}
	case envSpec, envSocket, envReader, envFilters, envDormant:
		return "", false // of an outer seam: the inner one wins
	}
	return kv, true
}

// added are the variables that come behind those of environ.
func (in Injection) added(environ []string) (out []string) {
	preloaded := slices.ContainsFunc(environ, func(kv string) bool {
		key, _, _ := strings.Cut(kv, "=")
		return key == envPreload
	})
	if in.Library != "" && !preloaded {
		out = append(out, envPreload+"="+in.Library)
	}
	if in.Spec != "" {
		out = append(out, envSpec+"="+in.Spec)
	}
	if in.Socket != "" {
		out = append(out, envSocket+"="+in.Socket)
	}
	if in.Drains {
		out = append(out, envReader+"="+readerDrains)
	} else if in.Adopts {
		out = append(out, envReader+"="+readerAdopts)
	}
	if in.Filters != "" {
		out = append(out, envFilters+"="+in.Filters)
	}
	if in.Dormant {
		out = append(out, envDormant+"=1")
	}
	return out
}

// mergePreload puts lib in front of the libraries that are preloaded already.
func mergePreload(lib, existing string) string {
	for _, name := range splitPreload(existing) {
		if name == lib {
			return existing
		}
	}
	if strings.Trim(existing, " :") == "" {
		return lib
	}
	return lib + ":" + existing
}

// splitPreload splits LD_PRELOAD at what the loader takes for separators.
func splitPreload(v string) []string {
	return strings.FieldsFunc(v, func(r rune) bool { return r == ':' || r == ' ' })
}

// Format is a syntax for the environment to inject.
type Format string

const (
	FormatShell   Format = "shell"    // for eval in a POSIX shell
	FormatEnvFile Format = "env-file" // KEY=VALUE, for docker --env-file and systemd's EnvironmentFile=
	FormatSystemd Format = "systemd"  // Environment= lines for a unit
)

// Formats lists the formats, for messages.
var Formats = []Format{FormatShell, FormatEnvFile, FormatSystemd}

// Render writes the injection in a format. existing is the LD_PRELOAD to keep;
// the shell format doesn't need it, since it keeps what is there when it is run.
func (in Injection) Render(f Format, existing string) (string, error) {
	var b strings.Builder
	dormant := ""
	if in.Dormant {
		dormant = "1"
	}
	rest := [][2]string{{envSpec, in.Spec}, {envSocket, in.Socket}, {envDormant, dormant}}
	merged := ""
	if in.Library != "" {
		merged = mergePreload(in.Library, existing)
	}
	switch f {
	case FormatShell:
		if in.Library != "" {
			q := ShellQuote(in.Library)
			fmt.Fprintf(&b, "case \":${LD_PRELOAD-}:\" in *[:\\ ]%s[:\\ ]*) ;; *) LD_PRELOAD=%s${LD_PRELOAD:+:$LD_PRELOAD};; esac\nexport LD_PRELOAD\n", q, q)
		}
		for _, kv := range rest {
			if kv[1] != "" {
				fmt.Fprintf(&b, "export %s=%s\n", kv[0], ShellQuote(kv[1]))
			} else {
				fmt.Fprintf(&b, "unset %s\n", kv[0])
			}
		}
		// In a file it would be read where other filters are in force.
		if in.Filters != "" {
			fmt.Fprintf(&b, "export %s=%s\n", envFilters, in.Filters)
		}
	case FormatEnvFile, FormatSystemd:
		for _, kv := range append([][2]string{{envPreload, merged}}, rest...) {
			switch {
			case kv[1] == "":
			case strings.ContainsAny(kv[1], "\n\r\x00"):
				return "", fmt.Errorf("write %s as %s: the value has a line break", kv[0], f)
			case f == FormatEnvFile:
				// Docker takes everything after = literally, systemd would take
				// quotes and backslashes apart: a value they read differently has
				// no place in such a file.
				if strings.ContainsAny(kv[1], "\"'\\") {
					return "", fmt.Errorf("write %s as %s: the value has a quote or a backslash", kv[0], f)
				}
				fmt.Fprintf(&b, "%s=%s\n", kv[0], kv[1])
			default:
				fmt.Fprintf(&b, "Environment=\"%s=%s\"\n", kv[0], systemdQuote(kv[1]))
			}
		}
	default:
		return "", fmt.Errorf("unknown format '%s'", f)
	}
	return b.String(), nil
}

// ShellQuote quotes s for a POSIX shell.
func ShellQuote(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_./-+,@=", r))
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// systemdQuote escapes a value within double quotes in a unit file, where % is
// a specifier and $ is left alone in Environment=.
func systemdQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`).Replace(s)
}
