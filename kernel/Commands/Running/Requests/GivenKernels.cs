using System.CommandLine;
using ResearchKit.Kernel.Kit;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// <c>--kernels</c>: uses the native kernels of an earlier run, to reproduce its results bit for bit.
/// </summary>
internal static class GivenKernels
{
    private const string Variable = "RESEARCHKIT_KERNELS";
    private static readonly string[] Variables =
    [
        Variable, "RESEARCHKIT_SELFCHECK", "RESEARCHKIT_WORKAROUNDS", "RESEARCHKIT_CACHES", "RESEARCHKIT_PORTABLE",
    ];

    public static Option<string> Option() => new("--kernels")
    {
        Description = "Uses the native kernels of an earlier run for matrix products and convolutions: its run.json or folder, "
            + "or a text such as 'linear-256=onednn'. By default, a self-check on this machine chooses them.",
        HelpName = "RUN",
    };

    /// <summary>
    /// Applies the option to this process and its child processes, and validates the environment variables of the
    /// kit.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The record or the text names no kernels, or an environment variable has an invalid value.
    /// </exception>
    public static void Take(string? given)
    {
        if (given is not null && PortableRun.IsAsked)
            throw new ArgumentException($"--kernels {given}: a portable run has fixed kernels; expected no --kernels.");
        if (given is not null) Environment.SetEnvironmentVariable(Variable, Text(given));
        // nothing to validate: do not load the kit
        if (!Variables.Any(name => Environment.GetEnvironmentVariable(name) is { Length: > 0 })) return;
        try
        {
            NativeKernels.CheckEnvironment();
        }
        catch (InvalidOperationException wrong)
        {
            throw new ArgumentException(
                given is null ? wrong.Message : $"--kernels {given}: {wrong.InnerException?.Message ?? wrong.Message}", wrong);
        }
    }

    private static string Text(string given)
    {
        if (given.Length == 0)
            throw new ArgumentException("--kernels is empty; expected a run's record or a text such as 'linear-256=onednn'.");
        if (!File.Exists(given) && !Directory.Exists(given))
            return given.Contains('=') ? given : throw new ArgumentException($"--kernels {given}: there is no such file or "
                + "folder; expected a run's record, its folder, or kernels such as 'linear-256=onednn'.");
        try
        {
            return NativeKernels.OfRun(given)
                ?? throw new ArgumentException($"--kernels {given}: the record lists no kernels; "
                    + "expected the record of a run that used the kit.");
        }
        catch (FormatException wrong)
        {
            throw new ArgumentException($"--kernels {given}: {wrong.Message}", wrong);
        }
    }
}
