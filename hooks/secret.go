package hooks

import "strings"

// secretNames end the names of parameters whose strings are secrets. Words
// that parsers and shells use for something else (token, pwd) are not among
// them; what such a string gives away by itself is redacted like any other.
var secretNames = []string{
	"password", "passwd", "passphrase", "passcode", "secret", "credential", "credentials",
	"api_key", "apikey", "secret_key", "secretkey", "private_key", "privatekey",
	"auth_token", "access_token", "authtoken", "accesstoken",
}

// SecretName reports whether a parameter of this name is taken for a secret
// when nobody but the program's own source says what it is.
func SecretName(name string) bool {
	name = strings.ToLower(strings.TrimRight(name, "_0123456789"))
	for _, w := range secretNames {
		if strings.HasSuffix(name, w) {
			return true
		}
	}
	return false
}
