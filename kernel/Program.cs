using System.Globalization;
using ResearchKit.Kernel.Commands;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
return await CommandLine.InvokeAsync(args, Console.Out, Console.Error).ConfigureAwait(false);
