using System.CommandLine;
using ResearchKit.Kernel.Kit;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary><c>--portable</c>: the same bits on every x64 processor with AVX2.</summary>
internal static class PortableRun
{
    private const string Variable = "RESEARCHKIT_PORTABLE";

    /// <summary>Whether this process is in portable mode: it was requested, or a cell enabled it.</summary>
    public static bool IsOn => IsAsked || NativeKernels.IsPortable;

    /// <summary>Whether portable mode was requested at the start.</summary>
    public static bool IsAsked => Environment.GetEnvironmentVariable(Variable)?.Trim() == "1";

    public static Option<bool> Option() => new("--portable")
    {
        Description = "Gives the same bits on every x64 processor with AVX2, by fixed instruction sets, fixed kernels "
            + "and 2 threads. Slower on processors with AVX-512.",
    };

    /// <summary>Applies the option to this process and to the processes that it starts.</summary>
    /// <exception cref="ArgumentException">
    /// <c>--kernels</c> was given as well, or portable mode is not possible here.
    /// </exception>
    public static void Take(bool asked, string? kernels)
    {
        if (!asked) return;
        if (kernels is not null)
            throw new ArgumentException(
                $"--portable and --kernels {kernels} exclude each other; a portable run fixes the kernels.");
        Enter();
    }

    /// <summary>Turns portable mode on if the committed runs were portable.</summary>
    /// <param name="committed">Each notebook, and whether its committed run was portable.</param>
    /// <exception cref="ArgumentException">
    /// Some were portable and some were not, or portable mode is not possible here.
    /// </exception>
    public static void TakeAsCommitted(IReadOnlyList<(string Notebook, bool IsPortable)> committed)
    {
        var portable = committed.Where(one => one.IsPortable).Select(one => one.Notebook).ToList();
        if (portable.Count == 0) return;
        if (committed.FirstOrDefault(one => !one.IsPortable) is (string other, _))
            throw new ArgumentException($"The committed run of {portable[0]} was portable, that of {other} was not; verify "
                + "the two in separate commands.");
        Enter();
    }

    /// <summary>
    /// Turns portable mode on: <c>RESEARCHKIT_PORTABLE=1</c> for child processes, and the kit's own switch for this process,
    /// where the kit may be loaded already and no longer read the variable.
    /// </summary>
    private static void Enter()
    {
        Environment.SetEnvironmentVariable(Variable, "1");
        try
        {
            NativeKernels.MakePortable();
        }
        catch (Exception refused) when (refused is NotSupportedException or InvalidOperationException)
        {
            throw new ArgumentException(refused.Message, refused);
        }
        catch (TypeInitializationException refused)
            when (refused.GetBaseException() is NotSupportedException or InvalidOperationException)
        {
            throw new ArgumentException(refused.GetBaseException().Message, refused);
        }
    }
}
