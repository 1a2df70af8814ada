package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tocsin-noc/tocsin/history/chdb/handoff"
)

// niceness lets alerts go first on a busy machine.
const niceness = 10

// orderFile names, in the confined process's environment, the file that holds its order.
const orderFile = "TOCSIN_ENGINE_ORDER"

// restart is how the process gives up what it does not need. Landlock and the priority belong to threads, and a Go program has several before
// it can act: so one thread gives things up and becomes the program anew. The order, which standard input no longer has, goes through a pipe.
//
// It returns the order that the program was started anew with, nil when it was not yet.
func confined() (*handoff.Order, error) {
	fd, err := strconv.Atoi(os.Getenv(orderFile))
	if err != nil {
		return nil, nil //nolint:nilnil // the first of the two lives
	}
	f := os.NewFile(uintptr(fd), "order")
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	os.Clearenv()
	o := &handoff.Order{}
	return o, json.Unmarshal(text, o)
}

// confine starts the program anew without what it does not need; it does not return then.
func confine(o handoff.Order) error {
	runtime.LockOSThread() // until the end, which is exec
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, niceness); err != nil {
		fmt.Fprintf(os.Stderr, "chdb: priority: %v\n", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		fmt.Fprintf(os.Stderr, "chdb: core limit: %v\n", err)
	}
	if err := landlock(o); err != nil {
		fmt.Fprintf(os.Stderr, "chdb: <Warning> the engine's process is not confined to its folder: %v\n", err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	if len(text) > os.Getpagesize() {
		return errors.New("chdb: the order is too long")
	}
	if _, err := io.Copy(w, bytes.NewReader(text)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	fd := int(r.Fd())
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil { // it is to be inherited
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, []string{orderFile + "=" + strconv.Itoa(fd)})
}

const (
	readFile = unix.LANDLOCK_ACCESS_FS_READ_FILE
	readTree = readFile | unix.LANDLOCK_ACCESS_FS_READ_DIR
	runTree  = readTree | unix.LANDLOCK_ACCESS_FS_EXECUTE
	device   = readFile | unix.LANDLOCK_ACCESS_FS_WRITE_FILE
)

// allAccess are the rights over files that a version of Landlock knows: 13 at first, then moving between folders, cutting off, controlling devices.
func allAccess(version uintptr) uint64 {
	bits := 13
	for _, from := range []uintptr{2, 3, 5} {
		if version >= from {
			bits++
		}
	}
	return 1<<bits - 1
}

// landlock leaves this thread its own folder to write, the libraries to run, and no connection to open: the listener is inherited.
func landlock(o handoff.Order) error {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return fmt.Errorf("the kernel has no Landlock: %w", errno)
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: allAccess(version)}
	if version >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if version >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	size := unsafe.Offsetof(attr.Quiet_access_fs)
	switch { // an old kernel knows the first fields alone
	case version < 4:
		size = unsafe.Offsetof(attr.Handled_access_net)
	case version < 6:
		size = unsafe.Offsetof(attr.Scoped)
	}
	rules, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return errno
	}
	defer unix.Close(int(rules))
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for path, access := range map[string]uint64{
		o.Folder: attr.Handled_access_fs, filepath.Dir(o.Library): runTree, self: runTree,
		"/lib": runTree, "/lib64": runTree, "/usr/lib": runTree, "/usr/lib64": runTree, "/etc/ld.so.cache": readFile,
		"/proc": readTree, "/sys/fs/cgroup": readTree, "/sys/devices/system": readTree, "/sys/kernel/mm": readTree,
		"/dev/null": device, "/dev/zero": device, "/dev/urandom": readFile, "/dev/random": readFile,
		"/etc/localtime": readFile, "/etc/timezone": readFile, "/usr/share/zoneinfo": readTree,
	} {
		if err := beneath(rules, path, access); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, rules, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// beneath adds a rule for a file or a folder and all below it; one that is not there needs none.
func beneath(rules uintptr, path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= readFile | unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE // what a file has
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, rules, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
