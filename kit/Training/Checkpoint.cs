using System.Text.Json;
using ResearchKit.Checkpoints;
using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>A trainer on disk: a folder that is there whole or not at all.</summary>
internal static class Checkpoint
{
    private const string ModelFile = "model.safetensors", OptimizerFile = "optimizer.safetensors", RandomFile = "random.safetensors", StateFile = "trainer.json";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    private sealed record State(int Step, LoaderPosition Loader);

    public static void Save(string folder, Trainer trainer)
    {
        Directory.CreateDirectory(folder);
        var place = Path.Combine(folder, $"step-{trainer.Step:00000000}");
        var beside = $"{place}.{Guid.NewGuid():N}.tmp";
        Directory.CreateDirectory(beside);
        try
        {
            StateDict.Save(trainer.Model, Path.Combine(beside, ModelFile));
            SafetensorsFile.Write(Path.Combine(beside, OptimizerFile), trainer.Optimizer.State());
            using (var random = get_rng_state()) SafetensorsFile.Write(Path.Combine(beside, RandomFile), [new("cpu", random)]);
            File.WriteAllText(Path.Combine(beside, StateFile), JsonSerializer.Serialize(new State(trainer.Step, trainer.Loader.Position), Json));
            if (Directory.Exists(place)) Directory.Delete(place, recursive: true);
            Directory.Move(beside, place);
        }
        finally
        {
            if (Directory.Exists(beside)) Directory.Delete(beside, recursive: true);
        }
    }

    public static void Load(string folder, Trainer trainer)
    {
        var place = Find(folder);
        var state = ReadState(Path.Combine(place, StateFile));
        var optimizer = SafetensorsFile.Read(Path.Combine(place, OptimizerFile));
        var random = SafetensorsFile.Read(Path.Combine(place, RandomFile));
        try
        {
            if (!random.TryGetValue("cpu", out var generator)) throw new InvalidDataException($"{Path.Combine(place, RandomFile)} lacks the state of the CPU's generator.");
            StateDict.Load(trainer.Model, Path.Combine(place, ModelFile));
            trainer.Optimizer.LoadState(optimizer);
            set_rng_state(generator);
        }
        finally
        {
            foreach (var tensor in optimizer.Values.Concat(random.Values)) tensor.Dispose();
        }
        trainer.Loader.Position = state.Loader;
        trainer.ContinueFrom(state.Step);
    }

    private static string Find(string folder)
    {
        if (File.Exists(Path.Combine(folder, StateFile))) return folder;
        return (Directory.Exists(folder) ? Directory.EnumerateDirectories(folder, "step-*") : [])
            .Where(place => !place.EndsWith(".tmp", StringComparison.Ordinal) && File.Exists(Path.Combine(place, StateFile)))
            .Max(StringComparer.Ordinal) ?? throw new DirectoryNotFoundException($"There is no checkpoint in {folder}.");
    }

    private static State ReadState(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<State>(File.ReadAllText(path)) ?? throw new InvalidDataException($"{path} is empty.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{path} does not hold a trainer's state: {error.Message}", error);
        }
    }
}
