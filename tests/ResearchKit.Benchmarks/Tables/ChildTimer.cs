using System.Diagnostics;
using System.Globalization;
using ResearchKit.Native;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>
/// A process that holds a reference ready and measures a round of it whenever it is asked, so that both sides can take turns.
/// </summary>
/// <remarks>
/// It prints <c>ready</c> once, or <c>refused REASON</c>; then, for each line that it reads, the milliseconds of one round.
/// </remarks>
internal sealed class ChildTimer : IDisposable
{
    private readonly Process process;

    /// <param name="start">What is started.</param>
    /// <param name="failure">What to say where it does not become ready and gives no reason.</param>
    /// <exception cref="NotSupportedException">It cannot be started, or refuses.</exception>
    public ChildTimer(ProcessStartInfo start, string failure)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = true;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new NotSupportedException(failure);
        }
        var answer = process.StandardOutput.ReadLine();
        if (answer == "ready") return;
        Dispose();
        throw new NotSupportedException(answer?.StartsWith("refused ", StringComparison.Ordinal) == true
            ? answer["refused ".Length..] : failure);
    }

    /// <summary>This program again, with the arguments that make it hold a reference ready.</summary>
    /// <param name="failure">What to say where it does not become ready and gives no reason.</param>
    /// <param name="arguments">For <c>Program.cs</c>.</param>
    public static ChildTimer OfThisProgram(string failure, params IEnumerable<string> arguments) =>
        OfThisProgram(failure, _ => { }, arguments);

    /// <inheritdoc cref="OfThisProgram(string, IEnumerable{string})"/>
    /// <param name="failure">What to say where it does not become ready and gives no reason.</param>
    /// <param name="prepare">Changes how it is started, such as its environment.</param>
    /// <param name="arguments">For <c>Program.cs</c>.</param>
    public static ChildTimer OfThisProgram(string failure, Action<ProcessStartInfo> prepare, params IEnumerable<string> arguments)
    {
        var start = ThisProgram.ToStart(arguments) ?? throw new NotSupportedException(failure);
        start.Environment["OMP_NUM_THREADS"] = Compute.Threads.ToString(CultureInfo.InvariantCulture);
        prepare(start);
        return new ChildTimer(start, failure);
    }

    /// <summary>The child's side: says that it is ready, then measures a round for each line of its input.</summary>
    /// <param name="round">Milliseconds of one round.</param>
    public static void Serve(Func<double> round)
    {
        Console.WriteLine("ready");
        while (Console.ReadLine() is not null) Console.WriteLine(round().ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Milliseconds of one round.</summary>
    public double Round()
    {
        process.StandardInput.WriteLine("go");
        process.StandardInput.Flush();
        return double.Parse(process.StandardOutput.ReadLine()
            ?? throw new InvalidOperationException("The process of the reference ended."), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        process.StandardInput.Close();   // its loop ends
        process.WaitForExit();
        process.Dispose();
    }
}
