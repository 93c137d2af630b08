# git's t/, of Debian's source package, with a git built from it; a unit is a script.
. "$HERE/lib.sh"
case $1 in
setup)
	source_package git
	cd "$WORK/git"
	make -j2 NO_CURL=1 NO_EXPAT=1 NO_TCLTK=1 NO_GETTEXT=1 NO_OPENSSL=1 NO_PYTHON=1 CFLAGS='-O1 -w' all >make.log 2>&1
	;;
units)
	cd "$WORK/git/t"
	ls t[0-9]*.sh
	;;
run)
	mkdir out
	TEST_OUTPUT_DIRECTORY=$PWD/out
	GIT_TEST_OPTS=
	export TEST_OUTPUT_DIRECTORY GIT_TEST_OPTS
	cd "$WORK/git/t"
	exec "$WATCH" /bin/sh "./$2"
	;;
esac
