using System.Diagnostics;

namespace ResearchKit.Tests;

/// <summary>A probe of <see cref="Native.Probes"/> in a process of its own.</summary>
/// <param name="ExitCode">0 where what was tried worked.</param>
/// <param name="Output">What it printed.</param>
/// <param name="Errors">What it complained of.</param>
internal sealed record ProbeProcess(int ExitCode, string Output, string Errors)
{
    private static readonly TimeSpan Guard = TimeSpan.FromMinutes(2);   // against a hang alone

    public static ProbeProcess Run(string probe, params (string Name, string? Value)[] variables)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ProbeProcess).Assembly.Location, probe])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = AppContext.BaseDirectory,   // the current folder may be a temporary one of a test beside this one
        };
        foreach (var (name, value) in variables) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(Guard))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"The probe {probe} did not end.");
        }
        return new ProbeProcess(process.ExitCode, output.Result, errors.Result);
    }
}
