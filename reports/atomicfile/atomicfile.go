// Package atomicfile writes files that are there whole or not at all: reports are read by web servers and build
// steps while the next run writes them.
package atomicfile

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write puts data into a file, replacing one that is there, and makes missing folders. The data go to a temporary
// file beside it first, so that a reader sees the old file or the new one and an interrupted write leaves no half.
// A symbolic link stays and what it points to is replaced. What is no regular file, such as /dev/null or a pipe, is not replaced but written to.
func Write(path string, data []byte) error {
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return &fs.PathError{Op: "write", Path: path, Err: errors.New("is a directory")}
	case err == nil && !info.Mode().IsRegular():
		return pour(path, data)
	case err == nil:
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	part, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil { // its own name would tell nobody anything
		return &fs.PathError{Op: "write", Path: path, Err: cmp.Or(errors.Unwrap(err), err)}
	}
	err = fill(part, data)
	if err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		os.Remove(part.Name())
	}
	return err
}

// Check says what would keep Write from beginning, and leaves nothing behind: what takes hours to make should not be lost for a name that could be
// told to be wrong before.
func Check(path string) error {
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return &fs.PathError{Op: "write", Path: path, Err: errors.New("is a directory")}
	case err == nil && !info.Mode().IsRegular():
		return nil
	case err == nil:
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
	}
	dir := filepath.Dir(path)
	for _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir); _, err = os.Stat(dir) {
		dir = filepath.Dir(dir)
	}
	part, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: cmp.Or(errors.Unwrap(err), err)}
	}
	return errors.Join(part.Close(), os.Remove(part.Name()))
}

// fill writes, makes the file readable for others as a report should be, and closes it.
func fill(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync() // otherwise a power cut after the rename can leave an empty file
	}
	return errors.Join(err, f.Close())
}

// pour writes to what is there.
func pour(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
