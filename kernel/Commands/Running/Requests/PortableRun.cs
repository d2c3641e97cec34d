using System.CommandLine;
using ResearchKit.Kernel.Kit;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary><c>--portable</c>: the same bits on every x64 processor with AVX2.</summary>
internal static class PortableRun
{
    private const string Variable = "RESEARCHKIT_PORTABLE";

    /// <summary>Whether the run's cells compute so: it was asked for, or a cell switched it on.</summary>
    public static bool IsOn => IsAsked || NativeKernels.IsPortable;

    /// <summary>Whether it was asked for at the start.</summary>
    public static bool IsAsked => Environment.GetEnvironmentVariable(Variable)?.Trim() == "1";

    public static Option<bool> Option() => new("--portable")
    {
        Description = "Gives the same bits on every x64 processor with AVX2: fixed instruction sets, kernels and 2 threads. "
            + "Slower where the processor has AVX-512.",
    };

    /// <summary>Takes the choice for this process, whose first cell loads the kit, and those that it starts.</summary>
    /// <exception cref="ArgumentException">Kernels were given as well.</exception>
    public static void Take(bool asked, string? kernels)
    {
        if (!asked) return;
        if (kernels is not null)
            throw new ArgumentException(
                $"--portable and --kernels {kernels} exclude each other; a portable run fixes the kernels.");
        Enter();
    }

    /// <summary>Runs notebooks again as they were run.</summary>
    /// <param name="committed">Each notebook, and whether its committed run was portable.</param>
    /// <exception cref="ArgumentException">Some were and some were not: they are verified apart.</exception>
    public static void TakeAsCommitted(IReadOnlyList<(string Notebook, bool IsPortable)> committed)
    {
        var portable = committed.Where(one => one.IsPortable).Select(one => one.Notebook).ToList();
        if (portable.Count == 0) return;
        if (committed.FirstOrDefault(one => !one.IsPortable) is (string other, _))
            throw new ArgumentException(
                $"The committed run of {portable[0]} was portable, that of {other} was not; verify them apart.");
        Enter();
    }

    /// <summary>The variable is for the processes that this one starts; here the kit may be loaded already.</summary>
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
