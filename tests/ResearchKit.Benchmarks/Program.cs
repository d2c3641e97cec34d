using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using ResearchKit.Benchmarks;
using ResearchKit.Benchmarks.Tables;
using ResearchKit.Formatting;

if (args is [DataParallel.Worker])
{
    DataParallel.Work();
    return;
}
if (args is [TrainerMemory.Command, ..])
{
    TrainerMemory.Run(args.ElementAtOrDefault(1));
    return;
}

if (args is [LookingInside.Command])
{
    LookingInside.Run();
    return;
}

if (args is [CallbackOverhead.Command])
{
    CallbackOverhead.Run();
    return;
}

if (args is [StartRows.FirstResult])
{
    StartRows.Run();
    return;
}

if (args is [HandLoop.Command])
{
    HandLoop.Serve();
    return;
}

if (args is [TrainerSteps.Command, var name])
{
    TrainerSteps.Serve(name);
    return;
}

if (args is [GenerationRows.LlamaCpp, var type])
{
    GenerationRows.Serve(Enum.Parse<ResearchKit.Checkpoints.GgufType>(type));
    return;
}

if (args is [InferencePair.Command, var model, var batch])
{
    InferencePair.Serve(model, int.Parse(batch, System.Globalization.CultureInfo.InvariantCulture));
    return;
}

if (args is [TableCommand.Name, .. var rest])
{
    Environment.ExitCode = TableCommand.Run(rest);
    return;
}

// In this process: libtorch is 500 MB, and a process a benchmark would load it anew each time.
Formatters.Install();
var job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(2).WithIterationCount(10);
BenchmarkSwitcher.FromAssembly(typeof(JupyterKernel).Assembly).Run(args, DefaultConfig.Instance.AddJob(job));
