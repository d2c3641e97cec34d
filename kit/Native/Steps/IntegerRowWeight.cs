namespace ResearchKit.Native;

/// <summary>A weight as codes, for one row of a step.</summary>
/// <param name="panels">The codes; they outlive this object.</param>
/// <param name="precision">How inputs are rounded.</param>
internal sealed unsafe class IntegerRowWeight(CodePanels panels, InputPrecision precision) : RowWeight
{
    private IntegerJob located;

    public override int Outputs => panels.Outputs;

    public override int Inputs => panels.Inputs;

    public override void Locate() => located = panels.Located(precision);

    public override void Multiply(float* x, float* bias, float* y, StepRoom room, int thread, int threads)
    {
        var job = located;
        job.Rows = 1;
        job.Input = x;
        job.Bias = bias;
        job.Y = y;
        job.X = room.Codes;
        job.XScales = room.Scales;
        job.XSums = room.Sums;
        InputRounding.Run(&job, 0, 1);   // by each thread for itself, which takes less time than to wait for another
        IntegerRow.Run(&job, thread, threads);
    }
}
