package chdb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// answerTime bounds the wait for a registry to begin an answer.
const answerTime = 60 * time.Second

// byHand ends errors of the download.
func byHand(p pin) string {
	return "fetch " + p.spec() + " by hand (`npm pack " + p.spec() + "` on a machine that can) and run `tocsin history install --from FILE`"
}

// download fetches the package into the folder and returns the file, checked.
func download(ctx context.Context, dir string, p pin, progress io.Writer) (string, error) {
	url, err := whereIs(ctx, p)
	if err != nil {
		return "", err
	}
	part := filepath.Join(dir, "package.part")
	if err := fetch(ctx, url, part, progress); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		fmt.Fprintf(progress, "download failed (%v), asking npm to do it\n", err)
		// npm knows the registry's credentials, proxies and certificates; it shows no progress, and so is the second choice.
		if err := pack(ctx, dir, part, p); err != nil {
			return "", err
		}
	}
	if err := checkPackage(ctx, part, p); err != nil {
		_ = os.Remove(part) // the next try begins anew
		return "", fmt.Errorf("%w; the download was damaged, or the registry gives something else: try again, or %s", err, byHand(p))
	}
	return part, nil
}

// npm runs the ordinary npm client, which has the user's registry and proxy settings.
func npm(ctx context.Context, dir string, p pin, args ...string) ([]byte, error) {
	path, err := exec.LookPath("npm")
	if err != nil {
		return nil, fmt.Errorf("chdb: npm is not installed, which is asked where %s lies: install npm, or %s", p.spec(), byHand(p))
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		said := strings.Join(strings.Fields(errs.String()), " ")
		return nil, fmt.Errorf("chdb: npm %s: %w: %s; is the registry reachable? Else %s", args[0], err, said[:min(len(said), 500)], byHand(p))
	}
	return out, nil
}

// whereIs asks npm for the package's address. What the registry says of its digest has to be what this binary says.
func whereIs(ctx context.Context, p pin) (string, error) {
	out, err := npm(ctx, os.TempDir(), p, "view", p.spec(), "dist.tarball", "dist.integrity", "--json")
	if err != nil {
		return "", err
	}
	var dist struct {
		Tarball   string `json:"dist.tarball"`
		Integrity string `json:"dist.integrity"`
	}
	if err := json.Unmarshal(out, &dist); err != nil || dist.Tarball == "" {
		return "", fmt.Errorf("chdb: npm view says nothing useful of %s: %q; %s", p.spec(), out, byHand(p))
	}
	if dist.Integrity != "" && dist.Integrity != p.integrity {
		return "", fmt.Errorf("chdb: the registry has another %s than this binary was made for: %s, and %s is expected", p.spec(), dist.Integrity, p.integrity)
	}
	return dist.Tarball, nil
}

func pack(ctx context.Context, dir, path string, p pin) error {
	made, err := os.MkdirTemp(dir, "pack-*")
	if err != nil {
		return fmt.Errorf("chdb: install: %w", err)
	}
	defer os.RemoveAll(made)
	if _, err := npm(ctx, made, p, "pack", p.spec(), "--silent"); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(made, "*.tgz"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("chdb: npm pack made no package of %s; %s", p.spec(), byHand(p))
	}
	return os.Rename(files[0], path)
}

// fetch downloads url to path. What is there already is the beginning of it, if the server goes on from there.
func fetch(ctx context.Context, url, path string, progress io.Writer) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if have > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
	}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: answerTime, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusPartialContent:
	case http.StatusRequestedRangeNotSatisfiable:
		return nil // it is there as a whole, or the digest tells
	case http.StatusOK:
		have = 0
		if err := f.Truncate(0); err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
	default:
		return fmt.Errorf("the registry answers %s", res.Status)
	}
	total := int64(0)
	if res.ContentLength > 0 {
		total = have + res.ContentLength
	}
	show := newProgress(progress, "downloading", total, have)
	defer show.end()
	_, err = io.Copy(io.MultiWriter(f, show), res.Body)
	return err
}
