// Looker's SDK for Go, configured by its environment variables alone. looker-cli is built on it, and like there the API
// version is left empty: the login goes to /api//login.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/looker-open-source/sdk-codegen/go/rtl"
	v4 "github.com/looker-open-source/sdk-codegen/go/sdk/v4"
)

func main() {
	settings, err := rtl.NewSettingsFromEnv()
	check(err)
	settings.ApiVersion = ""
	sdk := v4.NewLookerSDK(rtl.NewAuthSession(settings))
	me, err := sdk.Me("display_name", nil)
	check(err)
	fields := "name"
	models, err := sdk.AllLookmlModels(v4.RequestAllLookmlModels{Fields: &fields}, nil)
	check(err)
	var names []string
	for _, model := range models {
		names = append(names, *model.Name)
	}
	dev := "dev"
	_, err = sdk.UpdateSession(v4.WriteApiSession{WorkspaceId: &dev}, nil)
	check(err)
	session, err := sdk.Session(nil)
	check(err)
	fmt.Println(*me.DisplayName, strings.Join(names, ","), *session.WorkspaceId)
	_, err = sdk.Logout(nil)
	check(err)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
