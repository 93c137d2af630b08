package agent

// version is set at link time.
var version = "dev"
