using System.Text.Json;
using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>A trainer on disk: a folder that is there whole or not at all.</summary>
internal static class Checkpoint
{
    private const int Version = 2;
    private const string ModelFile = "model.safetensors", OptimizerFile = "optimizer.safetensors", AverageFile = "average.safetensors", RandomFile = "random.safetensors";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private sealed record State(int Version, string Model, int Step, LoaderPosition Loader, BestEvaluation Best, double LossScale, int GoodSteps, string? Kernels = null,
        RunIdentity? Run = null);

    /// <summary>Writes what is due; every process calls it, the first one writes.</summary>
    /// <param name="trainer">What is saved.</param>
    /// <param name="store">Where to; null in the other processes.</param>
    /// <param name="regular">To go on from.</param>
    /// <param name="best">The weights that are judged best.</param>
    public static void Save(Trainer trainer, CheckpointStore? store, bool regular, bool best)
    {
        using var scope = NewDisposeScope();
        var random = RandomState.Of(trainer.Workers);
        var optimizer = trainer.Optimizer.State();
        var state = new State(Version, trainer.Model.GetName(), trainer.Step, trainer.Loader.Position, trainer.Best, trainer.Scale.Value, trainer.Scale.Good,
            Compute.Kernels.ToString(), RunIdentity.Of(trainer));
        if (regular)
            store?.Write(CheckpointStore.StepPrefix, trainer.Step, folder =>
            {
                StateDict.Save(trainer.Model, Path.Combine(folder, ModelFile));
                SafetensorsFile.Write(Path.Combine(folder, OptimizerFile), optimizer);
                if (trainer.Average is { } average) SafetensorsFile.Write(Path.Combine(folder, AverageFile), average.State());
                SafetensorsFile.Write(Path.Combine(folder, RandomFile), random);
                WriteState(folder, state);
            });
        if (!best) return;
        using var judged = trainer.UseEvaluationWeights();   // in every process: a sharded optimizer exchanges weights here
        store?.Write(CheckpointStore.BestPrefix, trainer.Step, folder =>
        {
            StateDict.Save(trainer.Model, Path.Combine(folder, ModelFile));
            WriteState(folder, state);
        });
    }

    /// <summary>Whether a folder has a checkpoint to resume from.</summary>
    public static bool Exists(string folder) => Whole(folder) is not null;

    /// <summary>Makes the trainer as it was; it stays as it is where a file does not fit.</summary>
    public static void Load(string folder, Trainer trainer, bool otherRun)
    {
        var place = Whole(folder) ?? throw new DirectoryNotFoundException($"There is no checkpoint in {folder}.");
        var file = Path.Combine(place, CheckpointStore.StateFile);
        var state = ReadState(file, trainer);
        if (!otherRun && state.Run?.DifferenceTo(RunIdentity.Of(trainer)) is { } difference)
            throw new InvalidDataException($"{file} is of another run: {difference}. Resume with otherRun: true to go on all the same.");
        using var scope = NewDisposeScope();
        Dictionary<string, Tensor> Read(string file) => SafetensorsFile.Read(Path.Combine(place, file));
        var (model, optimizer, random) = (Read(ModelFile), Read(OptimizerFile), Read(RandomFile));
        var average = trainer.Average is null ? null : Read(AverageFile);
        var generator = RandomState.Own(random, trainer.Workers, Path.Combine(place, RandomFile));
        using var before = WeightSnapshot.Of(trainer.Model);
        StateDict.Load(trainer.Model, model, Path.Combine(place, ModelFile));
        if (average is not null) CopyAverage(trainer.Average!.State(), average, Path.Combine(place, AverageFile));
        trainer.Optimizer.LoadState(optimizer);
        set_rng_state(generator);
        trainer.Scale.Restore(state.LossScale, state.GoodSteps);
        trainer.Loader.Position = state.Loader;
        trainer.ContinueFrom(state.Step, state.Best, Take(state.Kernels));
        before.Forget();
    }

    /// <summary>Takes the kernels of the run that goes on, so that its numbers keep their last bits.</summary>
    /// <returns>Why that cannot be, in one sentence; null where it was done.</returns>
    private static string? Take(string? kernels)
    {
        if (kernels is null || kernels == Compute.Kernels.ToString()) return null;
        try
        {
            Compute.Kernels = KernelTable.Parse(kernels);
            return null;
        }
        catch (Exception error) when (error is FormatException or NotSupportedException or InvalidOperationException)
        {
            return $"The run goes on with other kernels than it began with, so the last bits may differ. {error.Message}";
        }
    }

    /// <summary>Loads the best weights of a run.</summary>
    public static void LoadBest(string folder, Trainer trainer)
    {
        var place = CheckpointStore.Whole(folder, CheckpointStore.BestPrefix).LastOrDefault() ?? throw new DirectoryNotFoundException($"There is no best checkpoint in {folder}.");
        StateDict.Load(trainer.Model, Path.Combine(place, ModelFile));
    }

    private static string? Whole(string folder) => File.Exists(Path.Combine(folder, CheckpointStore.StateFile)) ? folder
        : CheckpointStore.Whole(folder, CheckpointStore.StepPrefix).LastOrDefault();

    private static void CopyAverage(IReadOnlyDictionary<string, Tensor> own, Dictionary<string, Tensor> saved, string path)
    {
        foreach (var (name, average) in own)
            if (!saved.TryGetValue(name, out var value) || !value.shape.SequenceEqual(average.shape))
                throw new InvalidDataException($"{path} lacks {name} of shape [{string.Join(", ", average.shape)}].");
        using var noGrad = no_grad();
        foreach (var (name, average) in own) average.copy_(saved[name]);
    }

    private static void WriteState(string folder, State state) => File.WriteAllText(Path.Combine(folder, CheckpointStore.StateFile), JsonSerializer.Serialize(state, Json));

    private static State ReadState(string path, Trainer trainer)
    {
        try
        {
            var state = JsonSerializer.Deserialize<State>(File.ReadAllText(path), Json) ?? throw new InvalidDataException($"{path} is empty.");
            if (state.Version != Version) throw new InvalidDataException($"{path} is of version {state.Version}; this version of the kit reads {Version}.");
            if (state.Model != trainer.Model.GetName()) throw new InvalidDataException($"{path} is of a {state.Model}; this model is a {trainer.Model.GetName()}.");
            return state;
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{path} does not hold a trainer's state: {error.Message}", error);
        }
    }
}
