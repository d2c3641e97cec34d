using System.Globalization;
using ResearchKit.Kernel.Commands;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
var exitCode = await CommandLine.InvokeAsync(args, Console.Out, Console.Error).ConfigureAwait(false);
Environment.Exit(exitCode);   // returning would wait for the foreground threads that a cell left behind
