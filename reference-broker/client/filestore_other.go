//go:build !unix && !windows

package client

import "os"

// lockFile does nothing: there is no lock here that ends with the process.
func lockFile(*os.File) error { return nil }

// syncFolder does nothing: folders can't be synced here.
func syncFolder(string) error { return nil }
