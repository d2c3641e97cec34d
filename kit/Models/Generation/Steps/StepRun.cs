using System.Runtime.InteropServices;
using ResearchKit.Layers;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>The memory of a <see cref="StepPlan"/>, and its run on a team of threads.</summary>
internal sealed unsafe class StepRun
{
    private const long WorkOfThread = 1 << 17;   // multiply-adds for which another thread pays

    private readonly StepPlan plan;
    private readonly StepBarrier barrier = new();
    private readonly FixedArray<float> joined, mixed, branch, inner, factor, cosine, sine;
    private readonly nint[] keys, values;   // addresses in the cache, by layer
    private readonly int threads, most = MostThreads();
    private StepRoom[] rooms = [];
    private int position, capacity, roomTime;
    private long token;
    private float* result;

    public StepRun(StepPlan plan)
    {
        this.plan = plan;
        joined = new(plan.WidestProjection);
        mixed = new(plan.Layers.Max(layer => layer.Output.Inputs));
        branch = new(plan.Width);
        inner = new(plan.Layers.Max(layer => layer.Inner.Outputs));
        factor = new(plan.Layers.Max(layer => layer.Factor?.Outputs ?? 0));
        cosine = new(plan.HeadWidth / 2);
        sine = new(plan.HeadWidth / 2);
        keys = new nint[plan.Layers.Count];
        values = new nint[plan.Layers.Count];
        threads = (int)Math.Clamp(plan.MultiplyAdds / plan.Layers.Count / WorkOfThread, 1, most);
    }

    /// <summary>Whether the model and the number of threads are as they were.</summary>
    public bool IsCurrent => most == MostThreads() && plan.IsCurrent;

    /// <summary>Whether the result is logits.</summary>
    public bool HasHead => plan.Head is not null;

    /// <summary>Writes one token.</summary>
    /// <returns>[1, vocabulary] or [1, channels]; null where the cache or the token is not of this model.</returns>
    public Tensor? Next(long token, KeyValueCache cache)
    {
        if ((threads > 1 && !ThreadTeam.IsTogether) || token < 0 || token >= plan.Tokens.Rows
            || cache.Length >= (plan.Positions?.Rows ?? long.MaxValue) || !Locate(cache)) return null;
        plan.Locate();
        this.token = token;
        position = cache.Length;
        if (plan.Frequencies is { } frequencies) Turn(frequencies);
        var made = empty([1, plan.Head?.Outputs ?? plan.Width], ScalarType.Float32, CPU);
        result = (float*)NativeTensors.Data(made);
        var handle = GCHandle.Alloc(this);
        try
        {
            ThreadTeam.Run(&Part, (void*)GCHandle.ToIntPtr(handle), threads);
        }
        finally
        {
            handle.Free();
        }
        GC.KeepAlive(cache);
        return made;
    }

    private static int MostThreads() => OpenMp.Present is > 0 and var present ? present : Compute.Threads;

    private bool Locate(KeyValueCache cache)
    {
        for (var layer = 0; layer < keys.Length; layer++)
        {
            if (cache.ForOneToken(layer) is not var (held, mixedIn) || held.size(1) != plan.Layers[layer].KeyHeads
                || held.size(3) != plan.HeadWidth) return false;
            (keys[layer], values[layer]) = (NativeTensors.Data(held), NativeTensors.Data(mixedIn));
        }
        capacity = cache.Capacity;
        if (roomTime >= capacity) return true;
        roomTime = capacity;
        rooms = [.. Enumerable.Range(0, threads)
            .Select(_ => new StepRoom(plan.Width, plan.WidestInput, plan.HeadWidth, roomTime))];
        return true;
    }

    private void Turn(float[] frequencies)
    {
        for (var pair = 0; pair < frequencies.Length; pair++)
            (sine.At[pair], cosine.At[pair]) = MathF.SinCos(position * frequencies[pair]);
    }

    private static void Part(void* data, int thread, int threads) =>
        ((StepRun)GCHandle.FromIntPtr((nint)data).Target!).Run(thread, threads);

    /// <summary>
    /// What one thread does. Each keeps the whole residual stream for itself: adding a branch twice takes less time than waiting.
    /// </summary>
    private void Run(int thread, int threads)
    {
        var room = rooms[thread];
        var x = room.Stream;
        plan.Tokens.Read(token, x);
        if (plan.Positions is not null)
        {
            plan.Positions.Read(position, room.Normal);
            RowMath.Add(x, room.Normal, plan.Width);
        }
        for (var layer = 0; layer < plan.Layers.Count; layer++)
        {
            Attention(layer, room, thread, threads);
            RowMath.Add(x, branch.At, plan.Width);
            Mlp(plan.Layers[layer], room, thread, threads);
            RowMath.Add(x, branch.At, plan.Width);
        }
        plan.LastNorm.Of(x, plan.Head is null ? result : room.Normal);   // the same numbers by each thread
        plan.Head?.Multiply(room.Normal, result, room, thread, threads);
    }

    private void Attention(int layer, StepRoom room, int thread, int threads)
    {
        var step = plan.Layers[layer];
        step.FirstNorm.Of(room.Stream, room.Normal);
        var y = joined.At;
        foreach (var product in step.Projections)
        {
            product.Multiply(room.Normal, y, room, thread, threads);
            y += product.Outputs;
        }
        barrier.Wait(threads);
        var (from, to) = ThreadTeam.Share(step.Heads, thread, threads);
        for (var head = from; head < to; head++) Head(layer, head, room);
        barrier.Wait(threads);
        step.Output.Multiply(mixed.At, branch.At, room, thread, threads);
        barrier.Wait(threads);
    }

    /// <summary>Threads whose heads share a key write the same numbers into the cache.</summary>
    private void Head(int layer, int head, StepRoom room)
    {
        var (step, width) = (plan.Layers[layer], plan.HeadWidth);
        var keyHead = head / (step.Heads / step.KeyHeads);
        var query = joined.At + (head * width);
        var key = joined.At + ((step.Heads + keyHead) * width);
        var value = joined.At + ((step.Heads + step.KeyHeads + keyHead) * width);
        if (plan.Frequencies is not null)
        {
            RowMath.Rotate(query, cosine.At, sine.At, room.Query, width);
            RowMath.Rotate(key, cosine.At, sine.At, room.Key, width);
            query = room.Query;
            key = room.Key;
        }
        var start = (long)keyHead * capacity * width;
        var allKeys = (float*)keys[layer] + start;
        var allValues = (float*)values[layer] + start;
        Copy(key, allKeys + ((long)position * width), width);
        Copy(value, allValues + ((long)position * width), width);
        RowAttention.Attend(query, allKeys, allValues, position + 1, width, room.Scores, mixed.At + (head * width));
    }

    private void Mlp(StepLayer step, StepRoom room, int thread, int threads)
    {
        step.SecondNorm.Of(room.Stream, room.Normal);
        step.Inner.Multiply(room.Normal, inner.At, room, thread, threads);
        step.Factor?.Multiply(room.Normal, factor.At, room, thread, threads);
        barrier.Wait(threads);
        var (from, to) = ThreadTeam.Share(step.Inner.Outputs, thread, threads);
        StepActivation.Apply(plan.Activation, inner.At + from, step.Factor is null ? null : factor.At + from, to - from);
        barrier.Wait(threads);
        step.Outer.Multiply(inner.At, branch.At, room, thread, threads);
        barrier.Wait(threads);
    }

    private static void Copy(float* from, float* to, int count) =>
        new ReadOnlySpan<float>(from, count).CopyTo(new Span<float>(to, count));
}
