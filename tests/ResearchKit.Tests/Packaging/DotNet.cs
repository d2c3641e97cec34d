using System.Diagnostics;
using ResearchKit.Native;

namespace ResearchKit.Tests.Packaging;

/// <summary>Other programs, as a user would start them.</summary>
internal static class DotNet
{
    /// <summary>The configuration that the tests were built in.</summary>
    public static string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>Packs a project of the repository.</summary>
    public static async Task PackAsync(string project, string output, params string[] more)
    {
        var (code, said) = await RunAsync("dotnet", output,
            ["pack", Repository.PathTo(project), "-c", Configuration, "-o", output, "--nologo", "-v:q", "-nodeReuse:false",
                .. more]);
        Assert.True(code == 0, said);
    }

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Its exit code, and all that it said.</returns>
    public static async Task<(int Code, string Said)> RunAsync(string program, string folder, string[] arguments,
        params (string Key, string Value)[] environment)
    {
        using var process = Process.Start(StartInfo(program, folder, arguments, environment))!;
        process.StandardInput.Close();
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(8));
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>
    /// Gives a process the native kernels of this one: what several processes compute can then be compared bit by bit.
    /// </summary>
    public static void SameKernels(ProcessStartInfo start) =>
        start.Environment[Kernels.TableVariable] = Compute.Kernels.ToString();

    /// <summary>How to start a program that is talked to, without what the test's own host put into the environment.</summary>
    public static ProcessStartInfo StartInfo(string program, string folder, string[] arguments,
        params (string Key, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (var key in start.Environment.Keys.Where(key => key.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase))
            .ToList())
            start.Environment.Remove(key);
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = start.Environment["DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT"] = "1";
        SameKernels(start);
        foreach (var (key, value) in environment) start.Environment[key] = value;
        return start;
    }
}
