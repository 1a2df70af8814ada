package chdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Version is the library's version that belongs to this binary, as its package names it.
const Version = "26.7.3-stable.1"

// ErrNoLibrary says that libchdb is not there. The daemon runs on without history.
var ErrNoLibrary = errors.New("chdb: the ClickHouse library is not installed")

// Hint is what to do about ErrNoLibrary.
const Hint = "`tocsin history install` fetches it (about 180 MB); `tocsin history install --from FILE` takes it from a file"

// CacheDir returns the folder that downloads go to: $TOCSIN_CACHE, or tocsin in the user's cache folder.
func CacheDir() (string, error) {
	if dir := os.Getenv("TOCSIN_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("chdb: no cache folder: %w; set TOCSIN_CACHE", err)
	}
	return filepath.Join(dir, "tocsin"), nil
}

// libraryName is the file's name. It is the same on every system: the packages ship it so.
const libraryName = "libchdb.so"

// libraryPath returns where the library belongs in the cache folder.
func libraryPath(cache string) string {
	return filepath.Join(cache, "chdb", Version, libraryName)
}

// Find returns the path of the library: explicit where one is configured, else its place in the cache folder. When no file is there the
// error is an ErrNoLibrary that names the place.
func Find(explicit string) (string, error) {
	path := explicit
	if path == "" {
		cache, err := CacheDir()
		if err != nil {
			return "", err
		}
		path = libraryPath(cache)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && info.IsDir():
		return "", fmt.Errorf("%w: no file %s (%s/%s)", ErrNoLibrary, path, runtime.GOOS, runtime.GOARCH)
	case err != nil:
		return "", fmt.Errorf("chdb: library: %w", err)
	}
	return path, nil
}
